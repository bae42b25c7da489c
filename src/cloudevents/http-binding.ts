// The HTTP binding of CloudEvents 1.0, both ways.
export { decodeHttp, decodeHttpEvents, isEvent, modeOfHeaders } from './http-decoding.ts';
export { encodeBatch, encodeBinary, encodeStructured, type EncodedEvent, type EncodeOptions } from './http-encoding.ts';
