import { KnativeError } from '../errors.ts';
import { CloudEvent } from './cloud-event.ts';

/** Builds the event that a function answers with: `context.cloudEventResponse(data).type('order.accepted').response()`. */
export class EventReply {
  #fields: { id: string; source: string; time: string; type?: string; [name: string]: unknown };

  /** `defaults` are what the call gives every reply: a new id, the function's source, the time. */
  constructor(data: unknown, defaults: { readonly id: string; readonly source: string; readonly time: string }) {
    this.#fields = { ...defaults, data };
  }

  id(id: string): this {
    return this.attribute('id', id);
  }
  source(source: string): this {
    return this.attribute('source', source);
  }
  type(type: string): this {
    return this.attribute('type', type);
  }
  /** The specversion; default 1.0. */
  version(specversion: string): this {
    return this.attribute('specversion', specversion);
  }
  subject(subject: string): this {
    return this.attribute('subject', subject);
  }
  /** The content type of the data; default application/json. */
  contentType(datacontenttype: string): this {
    return this.attribute('datacontenttype', datacontenttype);
  }
  /** Any other attribute or extension. */
  attribute(name: string, value: unknown): this {
    this.#fields[name] = value;
    return this;
  }

  /** The event; throws when it has no type. */
  response(): CloudEvent {
    const { type } = this.#fields;
    if (type === undefined || type === '') {
      throw new KnativeError('FUNCTIONS_REPLY_INVALID', 'the reply event has no type', {
        path: 'type',
        hint: "name it with .type('…') before .response()",
      });
    }
    return CloudEvent.of({ ...this.#fields, type });
  }
}
