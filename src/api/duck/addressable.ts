import { array, object, string, type TypeOf } from '../schema.ts';

/** One address of an addressable object (`duckv1.Addressable`). */
export const addressable = object({ name: string, url: string, CACerts: string, audience: string });
export type Addressable = TypeOf<typeof addressable>;

/** The fields of a status that make an object addressable. */
export const addressStatusFields = { address: addressable, addresses: array(addressable) };

/** The part of any object's status that tells its address. */
export interface AddressStatus {
  address?: Addressable | null;
  addresses?: Addressable[];
}

/** The fields of a status that tell where dead letters go (`eventingduckv1.DeliveryStatus`). */
export const deliveryStatusFields = { deadLetterSinkUri: string, deadLetterSinkCACerts: string, deadLetterSinkAudience: string };
