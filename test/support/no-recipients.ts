/** What the activities of a batch ask for, where a test has no batch. */
export const noRecipients = {
  nameVoices: {},
  readRecipient: () => Promise.resolve(undefined),
  listRecipients: () => Promise.resolve([]),
  isCached: () => Promise.resolve(false),
  noteNameUse: () => Promise.resolve(),
};
