import { Fragment } from 'preact';
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
            <code>{shownValue(value)}</code>
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}
