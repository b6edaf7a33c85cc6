import type { Check } from './service.js';
import { shownValue } from './shown-value.js';

/** Checks with what was compared. Wide values wrap. */
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
        {checks.map((check) => (
          <tr key={`${check.id} ${check.about} ${check.policy}`} class={check.result}>
            <th scope="row">
              <code>{check.id}</code>
            </th>
            <td>{check.result.replace('_', ' ')}</td>
            <td>
              {check.detail}
              <Compared {...check} />
              <small>
                at <code>{check.about}</code>
                {check.policy === null ? '' : `, of policy ${check.policy}`}
              </small>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Compared({ expected, actual }: Pick<Check, 'expected' | 'actual'>) {
  if (expected === null && actual === null) return null;
  return (
    <dl class="compared">
      <dt>expected</dt>
      <dd>
        <code>{shownValue(expected)}</code>
      </dd>
      <dt>found</dt>
      <dd>
        <code>{shownValue(actual)}</code>
      </dd>
    </dl>
  );
}
