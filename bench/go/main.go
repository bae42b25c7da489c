// Measures the CESQL engine that Knative uses, for bench/cesql.bench.ts: CPU nanoseconds per parse and per evaluation as JSON.
package main

import (
	"encoding/json"
	"os"
	"sort"
	"syscall"

	cesql "github.com/cloudevents/sdk-go/sql/v2"
	"github.com/cloudevents/sdk-go/sql/v2/parser"
	"github.com/cloudevents/sdk-go/v2/event"
)

var expressions = map[string]string{
	"E1": "type = 'com.example.type.7'",
	"E2": "type = 'com.example.type.7' AND source LIKE '/src/%'",
	"E3": "EXISTS region AND region IN ('eu', 'us', 'ap') AND LENGTH(subject) > 5",
	"E4": "UPPER(LEFT(type, 3)) = 'COM' OR (INT(SUBSTRING(subject, 6, 1)) * 2 + 1) % 5 = 0",
}

const rounds = 5

func cpuNs() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// measure gives the median of the rounds, garbage collector included.
func measure(calls int, run func()) float64 {
	var results []float64
	for round := 0; round <= rounds; round++ {
		start := cpuNs()
		for i := 0; i < calls; i++ {
			run()
		}
		if round > 0 {
			results = append(results, float64(cpuNs()-start)/float64(calls))
		}
	}
	sort.Float64s(results)
	return results[len(results)/2]
}

func makeEvent() event.Event {
	e := event.New()
	e.SetID("id-7")
	e.SetType("com.example.type.7")
	e.SetSource("/src/7")
	e.SetSubject("file-7.json")
	e.SetExtension("region", "eu")
	return e
}

func main() {
	figures := map[string]map[string]float64{"parse": {}, "evaluate": {}}
	e := makeEvent()
	for name, text := range expressions {
		var expression cesql.Expression
		figures["parse"][name] = measure(5_000, func() {
			var err error
			if expression, err = parser.Parse(text); err != nil {
				panic(err)
			}
		})
		figures["evaluate"][name] = measure(300_000, func() {
			if _, err := expression.Evaluate(e); err != nil {
				panic(err)
			}
		})
	}
	if err := json.NewEncoder(os.Stdout).Encode(figures); err != nil {
		panic(err)
	}
}
