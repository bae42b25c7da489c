import { KnativeError } from '../errors.ts';

/** The attributes and data of an event as plain values, as users of the `cloudevents` package write them. */
export interface CloudEventFields<Data = unknown> {
  readonly specversion?: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string | undefined;
  readonly time?: string | undefined;
  readonly datacontenttype?: string | undefined;
  readonly dataschema?: string | undefined;
  readonly data?: Data | undefined;
  readonly [extension: string]: unknown;
}

/**
 * The event object that handlers get: attributes and extensions as properties, `data` decoded by its content type (JSON value,
 * text, or bytes). It has the methods of the `cloudevents` package's class, and that package's functions accept it.
 */
export class CloudEvent<Data = unknown> {
  readonly id: string;
  readonly time: string | undefined;
  readonly type: string;
  readonly source: string;
  readonly specversion: string;
  readonly datacontenttype: string | undefined;
  readonly subject: string | undefined;
  readonly dataschema: string | undefined;
  /** Typed as present, as handlers declare it; `undefined` when the event has no data. */
  readonly data: Data;
  readonly [extension: string]: unknown;

  constructor(id: string, source: string, type: string) {
    this.id = id;
    this.time = undefined;
    this.type = type;
    this.source = source;
    this.specversion = '1.0';
    this.datacontenttype = undefined;
    this.subject = undefined;
    this.dataschema = undefined;
    this.data = undefined as Data;
  }

  /** An event of these fields; unset ones stay `undefined`. */
  static of<Data>(fields: CloudEventFields<Data>): CloudEvent<Data> {
    const event = new CloudEvent<Data>(fields.id, fields.source, fields.type);
    for (const name of Object.keys(fields))
      if (fields[name] !== undefined) (event as Record<string, unknown>)[name] = fields[name];
    return event;
  }

  /** The attributes that are set, and the data, as a plain object (bytes as `data_base64`, as the JSON event format has them). */
  toJSON(): Record<string, unknown> {
    const plain: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(this)) {
      if (value === undefined) continue;
      if (name === 'data' && value instanceof Uint8Array) plain['data_base64'] = Buffer.from(value).toString('base64');
      else plain[name] = value;
    }
    return plain;
  }

  toString(): string {
    return JSON.stringify(this);
  }

  /** A copy with some attributes or the data replaced. */
  cloneWith<NewData = Data>(changes: Partial<CloudEventFields<NewData>>): CloudEvent<NewData> {
    return CloudEvent.of<NewData>({ ...(this as CloudEventFields<never>), ...changes });
  }

  /** Throws when a required attribute is missing or empty; true otherwise, as the `cloudevents` package has it. */
  validate(): boolean {
    for (const name of ['id', 'source', 'type', 'specversion']) {
      const value = this[name];
      if (typeof value === 'string' && value !== '') continue;
      throw new KnativeError('FUNCTIONS_EVENT_INVALID', `the event has no ${name}`, {
        path: name,
        hint: 'an event needs id, source and type, each a text that is not empty',
      });
    }
    return true;
  }
}

/** True for the package's events, the `cloudevents` package's, and plain objects that have all four required attributes. */
export function isEventLike(value: object): value is CloudEventFields {
  if (value instanceof CloudEvent) return true;
  const { specversion, id, type, source } = value as Readonly<Record<string, unknown>>;
  return typeof specversion === 'string' && typeof id === 'string' && typeof type === 'string' && typeof source === 'string';
}
