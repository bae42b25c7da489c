/** The name rules of Kubernetes; each function returns what is wrong, in Kubernetes' words, and nothing for a valid name. */

const none: readonly string[] = Object.freeze([]);

const dns1123Label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const dns1123Subdomain = `${dns1123Label}(\\.${dns1123Label})*`;
const dns1035Label = '[a-z]([-a-z0-9]*[a-z0-9])?';
const labelKey = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const dns1123LabelPattern = new RegExp(`^${dns1123Label}$`);
const dns1123SubdomainPattern = new RegExp(`^${dns1123Subdomain}$`);
const dns1035LabelPattern = new RegExp(`^${dns1035Label}$`);
const labelKeyPattern = new RegExp(`^${labelKey}$`);
const cIdentifierPattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

const tooLong = (max: number, unit: 'characters' | 'bytes' = 'characters'): string => `must be no more than ${max} ${unit}`;

function mismatch(rule: string, pattern: string, ...examples: readonly string[]): string {
  return `${rule} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${pattern}')`;
}

/** A DNS label that starts with a letter (RFC 1035): names of Services and most Knative objects. */
export function dns1035LabelProblems(name: string): readonly string[] {
  if (name.length <= 63 && dns1035LabelPattern.test(name)) return none;
  const problems = name.length > 63 ? [tooLong(63)] : [];
  if (!dns1035LabelPattern.test(name)) {
    problems.push(
      mismatch(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        dns1035Label,
        'my-name',
        'abc-123',
      ),
    );
  }
  return problems;
}

/** The same for a prefix that something is appended to: it may end with a dash. */
export function dns1035PrefixProblems(prefix: string): readonly string[] {
  return dns1035LabelProblems(prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix);
}

/** A DNS label (RFC 1123): names of namespaces, containers, volumes. */
export function dns1123LabelProblems(name: string): readonly string[] {
  if (name.length <= 63 && dns1123LabelPattern.test(name)) return none;
  const problems = name.length > 63 ? [tooLong(63)] : [];
  if (!dns1123LabelPattern.test(name)) {
    problems.push(
      dns1123SubdomainPattern.test(name)
        ? 'must not contain dots'
        : mismatch(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            dns1123Label,
            'my-name',
            '123-abc',
          ),
    );
  }
  return problems;
}

/** A DNS name in lower case (RFC 1123): names of most Kubernetes objects. */
export function dns1123SubdomainProblems(name: string): readonly string[] {
  return subdomainProblems(name, 'characters');
}

function subdomainProblems(name: string, unit: 'characters' | 'bytes'): readonly string[] {
  if (name.length <= 253 && dns1123SubdomainPattern.test(name)) return none;
  const problems = name.length > 253 ? [tooLong(253, unit)] : [];
  if (!dns1123SubdomainPattern.test(name)) {
    problems.push(
      mismatch(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        dns1123Subdomain,
        'example.com',
      ),
    );
  }
  return problems;
}

const labelKeyRule =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const labelKeyExamples = ['MyName', 'my.name', '123-abc'] as const;

/** A label key: an optional DNS name with `/`, and a name. */
export function qualifiedNameProblems(value: string): readonly string[] {
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      `a valid label key ${mismatch(labelKeyRule, labelKey, ...labelKeyExamples)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const problems: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') problems.push('prefix part must be non-empty');
    else problems.push(...subdomainProblems(prefix, 'bytes').map((problem) => `prefix part ${problem}`));
  }
  const name = parts.at(-1) ?? '';
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push(`name part ${tooLong(63, 'bytes')}`);
  if (!labelKeyPattern.test(name)) problems.push(`name part ${mismatch(labelKeyRule, labelKey, ...labelKeyExamples)}`);
  return problems.length === 0 ? none : problems;
}

/** A value of a label. */
export function labelValueProblems(value: string): readonly string[] {
  if (value === '' || (value.length <= 63 && labelKeyPattern.test(value))) return none;
  const problems = value.length > 63 ? [tooLong(63, 'bytes')] : [];
  if (!labelKeyPattern.test(value)) {
    problems.push(
      mismatch(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        `(${labelKey})?`,
        'MyValue',
        'my_value',
        '12345',
      ),
    );
  }
  return problems;
}

/** An identifier as in C: kinds. */
export function cIdentifierProblems(value: string): readonly string[] {
  if (cIdentifierPattern.test(value)) return none;
  return [
    mismatch(
      "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
      '[A-Za-z_][A-Za-z0-9_]*',
      'my_name',
      'MY_NAME',
      'MyName',
    ),
  ];
}

/** A domain of at least two labels; one dot at the end is allowed. The texts name the field `name`. */
export function domainNameProblems(name: string): readonly string[] {
  if (name === '') return ['name: Required value'];
  const plain = name.endsWith('.') ? name.slice(0, -1) : name;
  const invalid = (value: string, problem: string): readonly string[] => [
    `name: Invalid value: ${JSON.stringify(value)}: ${problem}`,
  ];
  const problems = dns1123SubdomainProblems(plain);
  if (problems.length > 0) return invalid(plain, problems.join(','));
  const labels = plain.split('.');
  if (labels.length < 2) return invalid(plain, 'should be a domain with at least two segments separated by dots');
  for (const label of labels) {
    const labelProblems = dns1123LabelProblems(label);
    if (labelProblems.length > 0) return invalid(label, labelProblems.join(','));
  }
  return none;
}
