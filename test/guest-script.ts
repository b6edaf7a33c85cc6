import { readFileSync } from 'node:fs';

const SCRIPT = new URL('../deploy/guest/collect.sh', import.meta.url);

/** Constants at the start of deploy/guest/collect.sh: where a guest has its devices, logs and services. */
type Place = 'device' | 'tsm' | 'lock' | 'metadata' | 'firmware_log' | 'system_log' | 'ccel_log';

/** The script for a guest that has them elsewhere, which no option or environment can change. */
export function guestScript(places: Readonly<Record<Place, string>>): string {
  return Object.entries(places).reduce(
    (script, [name, place]) => {
      const line = new RegExp(`^${name}=(?:/|http:).*$`, 'm');
      if (!line.test(script)) throw new Error(`the script has no ${name}`);
      return script.replace(line, () => `${name}=${place}`);
    },
    readFileSync(SCRIPT, 'utf8'),
  );
}
