import { findTool } from '../stack/tools.js';
import { findGo, goInstall } from './go-install.js';
import { say, SetupError } from './say.js';

const goModule = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0';

/** The S3 server that the tests run against. */
export async function ensureVersitygw(searchPath: string): Promise<string> {
  const found = findTool('versitygw', undefined, searchPath);
  if (found !== undefined) return found;
  const go = findGo(searchPath);
  if (go === undefined) {
    throw new SetupError(
      'the tests need versitygw, an S3 server: install Go (https://go.dev/dl) or put it on PATH',
    );
  }
  say('building versitygw, the S3 server of the tests, with Go (1 to 2 minutes, once)');
  return await goInstall(go, goModule, 'versitygw');
}
