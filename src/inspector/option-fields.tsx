import type { Options } from './subject.js';

/** Options for calls of a service. */
export interface CallerOptions extends Options {
  /** API key or token of the caller. */
  readonly key: string | null;
}

/** The fields as entered. */
export type Fields = { readonly [name in 'policy' | 'nonce' | 'audience' | 'key']: string };

export const NO_FIELDS: Fields = { policy: '', nonce: '', audience: '', key: '' };

export function optionsOf(fields: Fields): CallerOptions {
  return { ...fields, key: fields.key === '' ? null : fields.key };
}

const LABELS: readonly (readonly [keyof Fields, string, string])[] = [
  ['policy', 'Policy', 'Its id. Empty: what the body says, or the default of the service.'],
  ['nonce', 'Nonce', 'base64url: the one that you gave out, also where the body has one.'],
  ['audience', 'Audience', 'Your own name, for a receipt.'],
  ['key', 'Key of the caller', 'Where the service asks for one. It stays in the memory of this page.'],
];

interface OptionFieldsProps {
  readonly fields: Fields;
  readonly onChange: (fields: Fields) => void;
}

export function OptionFields({ fields, onChange }: OptionFieldsProps) {
  return (
    <details>
      <summary>Policy, nonce, audience, key</summary>
      <div class="fields">
        {LABELS.map(([name, label, hint]) => (
          <p key={name}>
            <label for={`option-${name}`}>{label}</label>
            <input
              id={`option-${name}`}
              {...(name === 'key' ? { type: 'password' as const } : { type: 'text' as const })}
              autocomplete={name === 'key' ? 'new-password' : 'off'}
              aria-describedby={`hint-${name}`}
              value={fields[name]}
              onInput={({ currentTarget }) => onChange({ ...fields, [name]: currentTarget.value })}
            />
            <small id={`hint-${name}`}>{hint}</small>
          </p>
        ))}
      </div>
    </details>
  );
}
