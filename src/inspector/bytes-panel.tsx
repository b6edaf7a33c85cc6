import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { hex } from '../core/bytes.js';
import type { FieldDescription, StructureDescription } from '../inspect/field-description.js';
import { claimsOfFields, type FieldPlace } from './claim-fields.js';
import { hexRows, numbered, PAGE_BYTES, type PlacedField, placedFields, type Run } from './hex-rows.js';
import { shownValue } from './shown-value.js';
import { type FoundBytes, fieldRange, nameOfFound, shownBytes } from './structures.js';

interface BytesPanelProps {
  readonly found: readonly FoundBytes[];
  /** The field that the user followed from a claim; a new object each time. */
  readonly place: FieldPlace | null;
  /** Claims in the answer. */
  readonly claims: ReadonlySet<string>;
  /** Shows a claim. */
  readonly onClaim: (claim: string) => void;
}

/** The given bytes, with each field marked and explained. Nothing in them is verified. */
export function BytesPanel({ found, place, claims, onClaim }: BytesPanelProps) {
  const [chosen, setChosen] = useState(0);
  useEffect(() => {
    if (place !== null) setChosen(place.found);
  }, [place]);
  const shown = found[chosen] ?? found[0];
  if (shown === undefined) return null;
  return (
    <section class="bytes" aria-labelledby="bytes">
      <h2 id="bytes">The bytes</h2>
      <p>What they say of themselves: anyone could have written every value.</p>
      <p>
        <label for="structure">Structure</label>{' '}
        <select
          id="structure"
          value={String(found.indexOf(shown))}
          onChange={({ currentTarget }) => setChosen(Number(currentTarget.value))}
        >
          {found.map(({ pointer, kind }, index) => (
            <option key={pointer} value={String(index)}>
              {pointer === '' ? nameOfFound(kind) : `${shownValue(pointer)}: ${nameOfFound(kind)}`}
            </option>
          ))}
        </select>
      </p>
      {shown.problem === null ? null : <p class="problem">It cannot be read: {shown.problem}</p>}
      <Structure
        key={`${shown.pointer} ${shown.kind}`}
        found={shown}
        place={place !== null && found[place.found] === shown ? place : null}
        claims={claimsOfFields(found.indexOf(shown), found, claims)}
        onClaim={onClaim}
      />
    </section>
  );
}

interface StructureProps extends Omit<BytesPanelProps, 'found' | 'claims'> {
  readonly found: FoundBytes;
  /** Claims of the answer, by field index. */
  readonly claims: ReadonlyMap<number, string>;
}

function Structure({ found, place, claims, onClaim }: StructureProps) {
  const [field, setField] = useState<number | null>(null);
  const [page, setPage] = useState(0);
  const { bytes, structures } = useMemo(() => shownBytes(found), [found]);
  const fields = useMemo(() => placedFields(structures), [structures]);

  function choose(index: number): void {
    setField(index);
    const place = fields.find((each) => each.index === index);
    if (place !== undefined) setPage(Math.floor(place.from / PAGE_BYTES));
  }

  const self = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place === null) return;
    choose(place.field);
    self.current?.querySelector<HTMLButtonElement>(`tr[data-field="${place.field}"] button`)?.focus();
  }, [place]);

  return (
    <div class="structure" ref={self}>
      {bytes.byteLength === 0 ? null : (
        <div class="hex-view">
          {found.kind === 'pem' ? <p>The DER that is in the PEM, one after the other.</p> : null}
          {found.kind === 'token' ? <p>Header and claims, decoded, one after the other.</p> : null}
          <Pager page={page} bytes={bytes.byteLength} onPage={setPage} />
          <Chosen structures={structures} field={field} />
          <HexView bytes={bytes} page={page} fields={fields} selected={field} onSelect={setField} />
        </div>
      )}
      <FieldTables structures={structures} selected={field} onSelect={choose} {...{ claims, onClaim }} />
    </div>
  );
}

function HexView(props: HexTableProps) {
  const { selected, page } = props;
  const view = useRef<HTMLDivElement>(null);

  /** Scrolls to the bytes of a field, without moving the page. */
  useEffect(() => {
    const scrolled = view.current;
    const marked = scrolled?.querySelector<HTMLElement>('.selected');
    if (scrolled != null && marked != null) scrolled.scrollTop = marked.offsetTop - scrolled.clientHeight / 2;
  }, [selected, page]);

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: users of the keyboard must be able to scroll it
    <section class="hex" ref={view} tabIndex={0} aria-label="Bytes in hex">
      <HexTable {...props} />
    </section>
  );
}

/** Most rendered structures: a text in PEM may have hundreds of certificates. */
const MOST_STRUCTURES = 64;

interface PagerProps {
  readonly page: number;
  readonly bytes: number;
  readonly onPage: (page: number) => void;
}

function Pager({ page, bytes, onPage }: PagerProps) {
  const last = Math.floor(Math.max(0, bytes - 1) / PAGE_BYTES);
  if (last === 0) return null;
  return (
    <p class="pager">
      <button type="button" disabled={page === 0} onClick={() => onPage(page - 1)}>
        Before
      </button>{' '}
      Bytes {page * PAGE_BYTES} to {Math.min(bytes, (page + 1) * PAGE_BYTES) - 1} of {bytes}{' '}
      <button type="button" disabled={page === last} onClick={() => onPage(page + 1)}>
        After
      </button>
    </p>
  );
}

interface HexTableProps {
  readonly bytes: Uint8Array;
  readonly page: number;
  readonly fields: readonly PlacedField[];
  readonly selected: number | null;
  readonly onSelect: (field: number) => void;
}

function HexTable({ bytes, page, fields, selected, onSelect }: HexTableProps) {
  const rows = useMemo(() => hexRows(bytes, page, fields), [bytes, page, fields]);
  return (
    <table class="rows">
      <caption class="hidden">Bytes in hex, 16 in a row</caption>
      <tbody>
        {rows.map(({ offset, runs }) => (
          <tr key={offset}>
            <th scope="row">{offset.toString(16).padStart(4, '0')}</th>
            <td>
              {runs.map((run) => (
                <RunOfBytes
                  key={run.at}
                  run={run}
                  isSelected={run.field !== null && run.field === selected}
                  onSelect={onSelect}
                />
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface RunProps {
  readonly run: Run;
  readonly isSelected: boolean;
  readonly onSelect: (field: number) => void;
}

/** Only for the pointer: users of the keyboard select fields in their table. */
function RunOfBytes({ run: { bytes, field }, isSelected, onSelect }: RunProps) {
  const text = Array.from(bytes, (byte) => hex(Uint8Array.of(byte))).join(' ');
  if (field === null) return <span class="unnamed">{text} </span>;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the table of fields has a button for each
    <span
      class={`field f${field % 6}${isSelected ? ' selected' : ''}`}
      data-field={field}
      onMouseDown={() => onSelect(field)}
    >
      {text}{' '}
    </span>
  );
}

/** The selected field, beside its bytes: its row in the tables may be far below. */
function Chosen({
  structures,
  field,
}: {
  readonly structures: FoundBytes['structures'];
  readonly field: number | null;
}) {
  const all = structures.flatMap((structure) => structure.fields.map((each) => ({ structure, each })));
  const { structure, each: chosen } = (field === null ? null : all[field]) ?? {};
  return (
    <p class="chosen" role="status">
      {structure === undefined || chosen === undefined ? (
        'Choose bytes or a field.'
      ) : (
        <>
          <strong>{shownValue(chosen.name)}</strong>
          {whereIs(structure, chosen)}: <code>{shownValue(chosen.value)}</code> {chosen.meaning}
        </>
      )}
    </p>
  );
}

/** The place of a field. Fields of collateral and PCR values have none; certificates in a quote have theirs in DER, the quote has PEM. */
function whereIs(structure: StructureDescription, field: FieldDescription): string {
  if (field.offset === null) return ', which has no place of its own';
  const at = ` at 0x${field.offset.toString(16)}`;
  return fieldRange(structure, field) === null ? `${at} of DER that is not among these bytes as it is` : at;
}

interface FieldTablesProps extends Pick<StructureProps, 'claims' | 'onClaim'> {
  readonly structures: FoundBytes['structures'];
  readonly selected: number | null;
  readonly onSelect: (field: number) => void;
}

function FieldTables({ structures, selected, onSelect, claims, onClaim }: FieldTablesProps) {
  return (
    <div class="field-tables">
      {structures.length > MOST_STRUCTURES ? (
        <p>
          The first {MOST_STRUCTURES} of {structures.length} structures.
        </p>
      ) : null}
      {numbered(structures.slice(0, MOST_STRUCTURES)).map(({ structure, first }) => (
        <table key={first} class="fields">
          <caption>
            {structure.name}, {structure.length} bytes
          </caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Offset</th>
              <th scope="col">Value</th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {structure.fields.map((field, at) => (
              <FieldRow
                key={first + at}
                field={field}
                isPlaced={fieldRange(structure, field) !== null}
                index={first + at}
                claim={claims.get(first + at) ?? null}
                onClaim={onClaim}
                isSelected={first + at === selected}
                onSelect={onSelect}
              />
            ))}
          </tbody>
        </table>
      ))}
    </div>
  );
}

interface FieldRowProps {
  readonly field: FieldDescription;
  /** Whether its bytes are marked. */
  readonly isPlaced: boolean;
  readonly index: number;
  /** The claim of the answer for this field. */
  readonly claim: string | null;
  readonly isSelected: boolean;
  readonly onSelect: (field: number) => void;
  readonly onClaim: (claim: string) => void;
}

function FieldRow({ field, isPlaced, index, claim, isSelected, onSelect, onClaim }: FieldRowProps) {
  const { name, offset, value, meaning } = field;
  return (
    <tr class={isSelected ? 'selected' : ''} data-field={index}>
      <th scope="row">
        <button
          type="button"
          class={isPlaced ? `field f${index % 6}` : 'field'}
          aria-pressed={isSelected}
          onClick={() => onSelect(index)}
        >
          {shownValue(name)}
        </button>
      </th>
      <td>{offset === null ? '' : `0x${offset.toString(16)}`}</td>
      <td>
        <code>{shownValue(value)}</code>
      </td>
      <td>
        {meaning}{' '}
        {claim === null ? null : (
          <button type="button" class="place" onClick={() => onClaim(claim)}>
            claim {claim}
          </button>
        )}
      </td>
    </tr>
  );
}
