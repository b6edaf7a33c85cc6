import { useState } from 'preact/hooks';
import { SHOWN_EVENTS } from '../inspect/describe-event-log.js';
import type { BootRegisters, Register, RegisterEvent, RegisterState } from './registers.js';
import { shownValue } from './shown-value.js';

const STATES: { readonly [state in RegisterState]: string } = {
  explained: 'the event log explains it',
  closed: 'the event log explains it; systemd extended it once more by its separator',
  differs: 'the event log does not explain it',
  unlogged: 'extended after the boot, which the event log does not have',
  untouched: 'nothing was measured into it',
  unquoted: 'no value is known to compare with',
};

/** Registers of the boot with their events, replayed in the browser. */
export function RegistersPanel({ boot }: { readonly boot: BootRegisters }) {
  return (
    <section class="registers" aria-labelledby="registers">
      <h2 id="registers">What was measured while it booted</h2>
      <p>
        {boot.isVerified
          ? 'The values are those of the verified quote or report.'
          : 'Nothing vouches for the values: they are what the evidence says.'}{' '}
        This page replays the event log ({boot.bank}) and compares. Types and texts of events are the word of the log;
        where an event is marked “data not measured”, its digest is not the digest of its data.
      </p>
      {boot.fault === null ? null : <p class="problem">The event log cannot be replayed: {boot.fault}.</p>}
      {boot.registers.map((register) => (
        <RegisterDetails key={register.name} register={register} isVerified={boot.isVerified} />
      ))}
    </section>
  );
}

/** Renders the events when the user opens them: a log may have thousands. */
function RegisterDetails({ register, isVerified }: { readonly register: Register; readonly isVerified: boolean }) {
  const { name, state, held, replayed, events } = register;
  const [isOpen, setOpen] = useState(false);
  return (
    <details
      class={`register ${isVerified ? state : 'unverified'}`}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>
        <strong>{name}</strong>: {STATES[state]} ({events.length === 1 ? '1 event' : `${events.length} events`})
      </summary>
      <dl class="compared">
        <dt>value</dt>
        <dd>
          <code>{held ?? 'not known'}</code>
        </dd>
        <dt>replayed</dt>
        <dd>
          <code>{replayed ?? 'no event extends it'}</code>
        </dd>
      </dl>
      {!isOpen || events.length === 0 ? null : <EventTable name={name} events={events} />}
    </details>
  );
}

function EventTable({ name, events }: { readonly name: string; readonly events: readonly RegisterEvent[] }) {
  return (
    <table class="events">
      <caption>
        Events that extended {name}, in their order
        {events.length > SHOWN_EVENTS ? `; the first ${SHOWN_EVENTS} of ${events.length}` : ''}
      </caption>
      <thead>
        <tr>
          <th scope="col">Offset</th>
          <th scope="col">Event</th>
          <th scope="col">Digest</th>
        </tr>
      </thead>
      <tbody>
        {events.slice(0, SHOWN_EVENTS).map(({ offset, type, text, digest, isCovered }) => (
          <tr key={offset}>
            <td>0x{offset.toString(16)}</td>
            <th scope="row">
              {type}
              {text === null || text === '' ? null : (
                <>
                  {': '}
                  <code>{shownValue(text)}</code>
                </>
              )}
              {isCovered ? null : <small> data not measured</small>}
            </th>
            <td>
              <code>{digest}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
