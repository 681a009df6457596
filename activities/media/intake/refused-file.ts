/** Why a file of a user's is not taken. */
export type RefusalCode = 'unsupported_media' | 'damaged_media' | 'media_too_large' | 'media_too_long';

/** The message is for the user: what is wrong with the file, without paths or a program's words. */
export class RefusedFileError extends Error {
  constructor(
    readonly code: RefusalCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'RefusedFileError';
  }
}
