import { optionFault } from './fault.ts';
import { load, type Load } from './load.ts';

/** How loads are written on a command line; shown by the help. */
export const loadSyntax = `Loads: parts joined by +, each one of
  100/s                               the same rate all the time
  step:500/s@30s                      from 30 s on; also step:500/s@30s-5m, back to 0 after that
  ramp:0/s-500/s@1m-5m                from one rate to another
  sine:100/s~50/s@10m                 around 100/s by 50/s, every 10 minutes
  bursts:300/s@5m:20s                 300/s for 20 s every 5 minutes
  days:5/s-200/s@14:00*0.4            day's wave with its peak at 14:00 UTC, weekends at 0.4 of it
Put poisson: in front of a part for independent arrivals instead of evenly spaced ones: poisson:100/s, poisson:step:500/s@30s`;

/** A load from the text of a command line, see `loadSyntax`. */
export function parseLoad(text: string): Load {
  const parts = text.split('+').map((part) => parsePart(part.trim()));
  const [first] = parts;
  if (first === undefined) throw badLoad(text);
  return parts.length === 1 ? first : load.sum(...parts);
}

function parsePart(text: string): Load {
  if (text.startsWith('poisson:')) return load.poisson(parsePart(text.slice('poisson:'.length)));
  const colon = /^(step|ramp|sine|bursts|days):(.*)$/.exec(text);
  const rest = colon?.[2] ?? text;
  const [rates = '', time] = splitAt(rest, '@');
  switch (colon?.[1]) {
    case undefined:
      return load.constant(rateOf(text, text));
    case 'step': {
      const [at, until] = splitAt(time ?? '0s', '-');
      return load.step({ at: at ?? '0s', requestsPerSecond: rateOf(rates, text), ...(until === undefined ? {} : { until }) });
    }
    case 'ramp': {
      const [from, to] = splitAt(rates, '-');
      const [start, end] = splitAt(time ?? '', '-');
      if (start === undefined || end === undefined) throw badLoad(text);
      return load.ramp({ from: rateOf(from, text), to: rateOf(to, text), start, end });
    }
    case 'sine': {
      const [mean, amplitude] = splitAt(rates, '~');
      if (time === undefined) throw badLoad(text);
      return load.sine({ mean: rateOf(mean, text), amplitude: rateOf(amplitude, text), period: time });
    }
    case 'bursts': {
      const [every, length] = splitAt(time ?? '', ':');
      if (every === undefined || length === undefined) throw badLoad(text);
      return load.bursts({ requestsPerSecond: rateOf(rates, text), every, length });
    }
    default:
      return parseDays(rates, time, text);
  }
}

function parseDays(rates: string, time: string | undefined, text: string): Load {
  const [low, high] = splitAt(rates, '-');
  const peak = /^(\d{1,2})(?::(\d{2}))?(?:\*([\d.]+))?$/.exec(time ?? '14');
  if (peak === null) throw badLoad(text);
  return load.days({
    low: rateOf(low, text),
    high: rateOf(high, text),
    peakHour: Number(peak[1]) + Number(peak[2] ?? 0) / 60,
    ...(peak[3] === undefined ? {} : { weekendFactor: Number(peak[3]) }),
  });
}

function splitAt(text: string, separator: string): [string | undefined, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text === '' ? undefined : text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function rateOf(text: string | undefined, whole: string): number {
  const match = /^(\d+(?:\.\d+)?)\/s$/.exec((text ?? '').trim());
  if (match === null) throw badLoad(whole);
  return Number(match[1]);
}

function badLoad(text: string): Error {
  return optionFault('--load', `cannot be read: ${JSON.stringify(text)}`, loadSyntax);
}
