/**
 * Ids and the statement that ties a device's two keys together: sizes, record ids that name their creator (X1), and the
 * message of the binding signature. A device id is a public key, so nothing has to be looked up to check its signatures.
 * Knows no members and no rights: whose device it is, is said by grants.
 */
export { bindMessage } from './bind.js';
export {
  createRecordId,
  creatorPrefixOf,
  deviceIdBytes,
  devicePrefixBytes,
  devicePrefixOf,
  isCreatorOf,
  profileRecordId,
  recordIdBytes,
  recordIdText,
  singleRecordId,
} from './ids.js';
