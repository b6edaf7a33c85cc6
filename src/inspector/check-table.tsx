import { Fragment } from 'preact';
import type { Check } from './service.js';
import { shownValue } from './shown-value.js';

/** Checks with their compared values. Wide values wrap. */
export function CheckTable({ caption, checks }: { readonly caption: string; readonly checks: readonly Check[] }) {
  return (
    <table class="checks">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Check</th>
          <th scope="col">Result</th>
          <th scope="col">What was found</th>
        </tr>
      </thead>
      <tbody>
        {byWeight(checks).map((check) => (
          <tr key={`${check.id} ${check.about} ${check.policy}`} class={check.result}>
            <th scope="row">
              <code>{check.id}</code>
            </th>
            <td>{check.result.replace('_', ' ')}</td>
            <td>
              {shownValue(check.detail)}
              <Compared {...check} />
              <small>
                at <code>{shownValue(check.about)}</code>
                {check.policy === null ? '' : `, of policy ${check.policy}`}
              </small>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Deciding checks first, checks that did not run last. */
const WEIGHTS: readonly string[] = ['fail', 'unavailable', 'warn', 'pass'];

function byWeight(checks: readonly Check[]): readonly Check[] {
  const weightOf = ({ result }: Check) => (WEIGHTS.includes(result) ? WEIGHTS.indexOf(result) : WEIGHTS.length);
  return checks.toSorted((a, b) => weightOf(a) - weightOf(b));
}

/** @param longest most shown characters of a value; defaults to the limit of `shownValue` */
export function Compared({
  expected,
  actual,
  longest,
}: Pick<Check, 'expected' | 'actual'> & { readonly longest?: number }) {
  const values = (
    [
      ['expected', expected],
      ['found', actual],
    ] as const
  ).filter(([, value]) => value !== null);
  if (values.length === 0) return null;
  return (
    <dl class="compared">
      {values.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>
            <code>{shownValue(value, longest)}</code>
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}
