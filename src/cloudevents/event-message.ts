/** Values that an attribute can have in memory; on the wire all are text. */
export type AttributeValue = string | number | boolean | Uint8Array;

/**
 * A CloudEvent as it travels: attributes, and the data as bytes that stay unparsed until asked for. Every place of this package
 * that takes an event takes one; `toCloudEvent` and `fromCloudEvent` convert to and from the npm package's class.
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
  /** The data as bytes; `undefined` when the event has none. */
  readonly body: Uint8Array | undefined;

  constructor(fields: {
    specversion?: '1.0' | '0.3';
    id: string;
    source: string;
    type: string;
    subject?: string | undefined;
    time?: string | undefined;
    datacontenttype?: string | undefined;
    dataschema?: string | undefined;
    extensions?: readonly (string | AttributeValue)[];
    body?: Uint8Array | undefined;
  }) {
    this.specversion = fields.specversion ?? '1.0';
    this.id = fields.id;
    this.source = fields.source;
    this.type = fields.type;
    this.subject = fields.subject;
    this.time = fields.time;
    this.datacontenttype = fields.datacontenttype;
    this.dataschema = fields.dataschema;
    this.extensions = fields.extensions ?? [];
    this.body = fields.body;
  }
}
