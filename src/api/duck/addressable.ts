import { addressable, type Addressable } from '../core/metadata.ts';
import { array, string } from '../schema.ts';

/** The fields of a status that make an object addressable. */
export const addressStatusFields = { address: addressable, addresses: array(addressable) };

/** The part of any object's status that tells its address. */
export interface AddressStatus {
  address?: Addressable | null;
  addresses?: Addressable[];
}

/** The fields of a status that tell where dead letters go (`eventingduckv1.DeliveryStatus`). */
export const deliveryStatusFields = { deadLetterSinkUri: string, deadLetterSinkCACerts: string, deadLetterSinkAudience: string };
