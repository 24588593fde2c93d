/**
 * What people ask of the vault through the interface: recall, one result, erasure of a patient, and
 * the record of an opening. Decides nothing: it is the part of the vault that these routes may use,
 * and nothing else of it.
 */
import type { Vault } from '@aifi/gateway-vault';

export type VaultForPeople = Pick<
  Vault,
  'recall' | 'registeredResult' | 'studiesOfPatient' | 'erasePatient' | 'recordOpened'
>;
