import { readConfig, type Config } from '../config.js';
import { runDemo } from './demo/run-demo.js';
import { demoUsage } from './demo/options.js';
import { runPersonalize } from './personalize/run-personalize.js';
import { adminUsage, runAdmin } from './run-admin.js';
import { runBucket } from './run-bucket.js';
import { runMigrate } from './run-migrate.js';
import { runStart } from './run-start.js';
import { runStop } from './run-stop.js';
import { UsageError } from './usage-error.js';

const usage = `npm run callsheet -- <command>
  start               bring the stack up and keep it up
  stop                end the stack that runs on this DATA_DIR
  demo, render        render one video, on the stack that runs or on one of its own
  personalize         one video a recipient, from a base video and a table of names (--help)
  migrate up|down     the database's schema
  bucket              make the S3 bucket of the configuration
${adminUsage}
${demoUsage}`;

type Command = (args: readonly string[], config: Config) => Promise<number>;

const commands: Record<string, Command> = {
  start: runStart,
  stop: runStop,
  demo: runDemo,
  render: runDemo,
  personalize: runPersonalize,
  migrate: runMigrate,
  bucket: runBucket,
  admin: runAdmin,
};

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  if (name === '--help') {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined)
    throw new UsageError(name === '' ? 'which command?' : `no command ${name}`, usage);
  return await command(args, readConfig());
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(error instanceof UsageError ? `${message}\n\n${error.usage}\n` : `${message}\n`);
}
// Signal handlers and idle connections must not keep a finished command alive.
process.exit();
