import { KnativeError } from '../errors.ts';
import { isAttributeName, isReservedName } from './attribute-rules.ts';
import { bytesOfValue, valueOfBytes } from './event-data.ts';

/** Values that an attribute can have in memory; on the wire all are text. */
export type AttributeValue = string | number | boolean | Uint8Array;

/** Attributes by name. `undefined` and `null` stand for absent. */
export type AttributeChanges = Readonly<Record<string, AttributeValue | null | undefined>>;

/** What an event is made of. At most one of `body` and `data`. */
export interface EventFields {
  specversion?: '1.0' | '0.3';
  id: string;
  source: string;
  type: string;
  subject?: string | undefined;
  time?: string | undefined;
  datacontenttype?: string | undefined;
  dataschema?: string | undefined;
  extensions?: readonly (string | AttributeValue)[];
  /** The data as bytes. */
  body?: Uint8Array | undefined;
  /** The data as a value (`null` is the JSON value): turned into bytes when somebody asks for them. */
  data?: unknown;
}

const noExtensions: readonly (string | AttributeValue)[] = [];

/**
 * A CloudEvent as it travels: attributes, and the data in the form they came in, bytes or value, turned into the other form
 * when asked for. Every place of this package that takes an event takes one; `toCloudEvent` and `fromCloudEvent` convert to and
 * from the npm package's class. The constructor checks nothing; the codec and `createEvent` do. Treat all of it as immutable.
 */
export class EventMessage {
  readonly specversion: '1.0' | '0.3';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | undefined;
  /** RFC 3339, as received. */
  readonly time: string | undefined;
  readonly datacontenttype: string | undefined;
  readonly dataschema: string | undefined;
  /** Extension names and values in turn. */
  readonly extensions: readonly (string | AttributeValue)[];
  #bytes: Uint8Array | undefined;
  #value: unknown;
  readonly #cameAsValue: boolean;

  constructor(fields: EventFields) {
    this.specversion = fields.specversion ?? '1.0';
    this.id = fields.id;
    this.source = fields.source;
    this.type = fields.type;
    this.subject = fields.subject;
    this.time = fields.time;
    this.datacontenttype = fields.datacontenttype;
    this.dataschema = fields.dataschema;
    this.extensions = fields.extensions ?? noExtensions;
    const data = fields.data;
    // Bytes handed in as a value are bytes: JSON has no form for them.
    const bytes = data instanceof Uint8Array ? data : fields.body;
    this.#bytes = bytes;
    this.#cameAsValue = bytes === undefined && data !== undefined;
    this.#value = this.#cameAsValue ? data : undefined;
  }

  /** True when the event was made from a value (structured mode, `createEvent` with `data`) and its bytes are derived. */
  get hasValue(): boolean {
    return this.#cameAsValue;
  }

  get hasData(): boolean {
    return this.#cameAsValue || this.#bytes !== undefined;
  }

  /**
   * The data as bytes, `undefined` when the event has none. A value is written as JSON, or as UTF-8 text when it is a string
   * and the content type is not JSON. Throws CLOUDEVENTS_DATA when a value has no JSON form.
   */
  get body(): Uint8Array | undefined {
    if (this.#bytes === undefined && this.#cameAsValue) this.#bytes = bytesOfValue(this.#value, this.datacontenttype);
    return this.#bytes;
  }

  /**
   * The data as a value, `undefined` when the event has none: JSON is parsed, `text/*` and XML are text, everything else and
   * data without content type are the bytes. Parsed once. Throws CLOUDEVENTS_DATA when the bytes are not what the content type says.
   */
  data(): unknown {
    if (this.#value === undefined && this.#bytes !== undefined) this.#value = valueOfBytes(this.#bytes, this.datacontenttype);
    return this.#value;
  }

  /** The value of an attribute or extension by its lower-case name; `undefined` when the event does not have it. `data` is none. */
  attribute(name: string): AttributeValue | undefined {
    switch (name) {
      case 'type':
        return this.type;
      case 'source':
        return this.source;
      case 'subject':
        return this.subject;
      case 'id':
        return this.id;
      case 'time':
        return this.time;
      case 'specversion':
        return this.specversion;
      case 'datacontenttype':
        return this.datacontenttype;
      case 'dataschema':
        return this.dataschema;
      default:
        return this.extension(name);
    }
  }

  extension(name: string): AttributeValue | undefined {
    const extensions = this.extensions;
    for (let i = 0; i < extensions.length; i += 2) if (extensions[i] === name) return extensions[i + 1];
    return undefined;
  }

  /** A copy with attributes set, or removed by `undefined`. Throws for a name that no attribute can have and for a wrong type of a known one. */
  with(changes: AttributeChanges): EventMessage {
    const fields = this.#fields();
    let extensions: (string | AttributeValue)[] | undefined;
    for (const name of Object.keys(changes)) {
      const value = changes[name] ?? undefined;
      if (setKnown(fields, name, value)) continue;
      if (!isAttributeName(name) || isReservedName(name)) {
        throw new KnativeError('CLOUDEVENTS_ATTRIBUTE_NAME', `${JSON.stringify(name)} cannot name an attribute`, { path: name });
      }
      extensions ??= [...this.extensions];
      setExtension(extensions, name, value);
    }
    if (extensions !== undefined) fields.extensions = extensions;
    return new EventMessage(fields);
  }

  /** A copy with other data, a value or bytes (`undefined`: without data), and the content type that describes them. */
  withData(data: unknown, datacontenttype: string | undefined = this.datacontenttype): EventMessage {
    const { body: _, ...fields } = this.#fields();
    return new EventMessage({ ...fields, datacontenttype, data });
  }

  /** Attributes as an object, without data: for logs, tests and templates. It has no prototype. */
  attributes(): Record<string, AttributeValue> {
    const attributes: Record<string, AttributeValue> = Object.create(null);
    attributes['specversion'] = this.specversion;
    attributes['id'] = this.id;
    attributes['source'] = this.source;
    attributes['type'] = this.type;
    if (this.subject !== undefined) attributes['subject'] = this.subject;
    if (this.time !== undefined) attributes['time'] = this.time;
    if (this.datacontenttype !== undefined) attributes['datacontenttype'] = this.datacontenttype;
    if (this.dataschema !== undefined) attributes['dataschema'] = this.dataschema;
    for (let i = 0; i + 1 < this.extensions.length; i += 2) {
      const value = this.extensions[i + 1];
      if (value !== undefined) attributes[String(this.extensions[i])] = value;
    }
    return attributes;
  }

  #fields(): EventFields {
    return {
      specversion: this.specversion,
      id: this.id,
      source: this.source,
      type: this.type,
      subject: this.subject,
      time: this.time,
      datacontenttype: this.datacontenttype,
      dataschema: this.dataschema,
      extensions: this.extensions,
      body: this.#cameAsValue ? undefined : this.#bytes,
      data: this.#cameAsValue ? this.#value : undefined,
    };
  }
}

function setExtension(extensions: (string | AttributeValue)[], name: string, value: AttributeValue | undefined): void {
  for (let i = 0; i < extensions.length; i += 2) {
    if (extensions[i] !== name) continue;
    if (value === undefined) extensions.splice(i, 2);
    else extensions[i + 1] = value;
    return;
  }
  if (value !== undefined) extensions.push(name, value);
}

/** Sets one of the specification's attributes; false when the name is none of them. */
function setKnown(fields: EventFields, name: string, value: AttributeValue | undefined): boolean {
  switch (name) {
    case 'id':
    case 'source':
    case 'type':
      if (typeof value !== 'string') throw wrongType(name, 'must be a string');
      fields[name] = value;
      return true;
    case 'specversion':
      if (value !== '1.0' && value !== '0.3') throw wrongType(name, 'must be 1.0 or 0.3');
      fields.specversion = value;
      return true;
    case 'subject':
    case 'time':
    case 'datacontenttype':
    case 'dataschema':
      if (value !== undefined && typeof value !== 'string') throw wrongType(name, 'must be a string');
      fields[name] = value;
      return true;
    default:
      return false;
  }
}

function wrongType(name: string, rule: string): KnativeError {
  return new KnativeError('CLOUDEVENTS_ATTRIBUTE_VALUE', `attribute ${JSON.stringify(name)} ${rule}`, { path: name });
}
