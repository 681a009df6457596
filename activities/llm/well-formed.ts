/** Text without halves of surrogate pairs, which a cut between them leaves and no file may hold. */
export const wellFormed = (text: string): string => text.replace(/\p{Cs}/gu, '');
