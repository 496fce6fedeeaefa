import type { SpaceRow } from '../../environment.ts';
import { HIGHEST_CQI } from './link-adaptation.ts';
import type { RadioParameters } from './options.ts';
import { HIGHEST_ENERGY } from './power-model.ts';
import type { RadioCell } from './radio-cell.ts';
import { BLOCKS, FRAME_MS, SLICES } from './slices.ts';

const CELL_FEATURES = 2;
const SLICE_FEATURES = 4;
const USER_FEATURES = 5;
/** Where the slices' and the users' features begin. */
const SLICES_AT = CELL_FEATURES;
export const USERS_AT = SLICES_AT + SLICES.length * SLICE_FEATURES;
/** Places within a user's features. */
export const USER = { present: 0, cqi: 1, backlog: 2, throughput: 3, urgency: 4, width: USER_FEATURES } as const;

/** Writes the observation; see {@link observationTable}. */
export function writeObservation(cell: RadioCell, out: Float32Array): void {
  out[0] = cell.channel.neighbourLoad;
  out[1] = cell.energy / (HIGHEST_ENERGY * FRAME_MS);
  for (let slice = 0; slice < SLICES.length; slice++) writeSlice(cell, slice, out, SLICES_AT + slice * SLICE_FEATURES);
  for (let u = 0, at = USERS_AT; u < cell.bounds[3]; u++, at += USER_FEATURES) {
    out[at + USER.present] = cell.population.present[u];
    out[at + USER.cqi] = cell.cqi[u] / HIGHEST_CQI;
    out[at + USER.backlog] = logScaled(cell.backlog(u) / 1000, 10);
    out[at + USER.throughput] = logScaled(cell.throughput[u], 14);
    out[at + USER.urgency] = cell.urgency(u);
  }
}

function writeSlice(cell: RadioCell, slice: number, out: Float32Array, at: number): void {
  const [first, end] = [cell.bounds[slice], cell.bounds[slice + 1]];
  let backlog = 0;
  for (let u = first; u < end; u++) backlog += cell.backlog(u);
  out[at] = cell.population.count(slice) / (end - first);
  out[at + 1] = cell.usedBlocks[slice] / BLOCKS;
  out[at + 2] = logScaled(backlog / 1000, 14);
  // eMBB has no deadlines; what its users lack stands here instead.
  out[at + 3] = slice === 0 ? lack(cell) : cell.lateShares[slice];
}

/** Mean urgency of the eMBB users who are there. */
function lack(cell: RadioCell): number {
  let sum = 0;
  for (let u = 0; u < cell.bounds[1]; u++) sum += cell.urgency(u);
  return sum / Math.max(1, cell.population.count(0));
}

function logScaled(value: number, scale: number): number {
  return Math.min(1, Math.log1p(value) / scale);
}

/** The value that {@link writeObservation} made `scaled` of, by a user's backlog, kbit. */
export function backlogKbit(scaled: number): number {
  return Math.expm1(10 * scaled);
}

/** The observation table, in the order of {@link writeObservation}. */
export function observationTable(parameters: RadioParameters): SpaceRow[] {
  const counts = [parameters.embbUsers, parameters.urllcUsers, parameters.mmtcUsers];
  const rows = [
    row('neighbourLoad', 'share', 'share of the time that the neighbouring cells send, as they report it'),
    row('energy', 'share of the highest', 'energy of the last frame'),
    ...SLICES.flatMap((slice, index) => sliceRows(slice, index === 0)),
    ...SLICES.flatMap((slice, index) =>
      Array.from({ length: counts[index] }, (_, user) => userRows(`${slice}${user}`, index === 0)).flat(),
    ),
  ];
  return rows.map((entry, index) => ({ index: String(index), ...entry }));
}

function sliceRows(slice: string, elastic: boolean): Omit<SpaceRow, 'index'>[] {
  return [
    row(`${slice}.users`, 'share of the most', 'users who are there'),
    row(`${slice}.blocks`, 'share of 100', 'resource blocks used in the last frame, mean'),
    row(`${slice}.backlog`, 'ln(1 + kbit) / 14', 'data that wait'),
    elastic
      ? row(`${slice}.lack`, 'share', 'what its users lack of the throughput that they want, mean')
      : row(`${slice}.late`, 'share', 'recent share of bits that were lost by being late (over about 20 frames)'),
  ];
}

function userRows(user: string, elastic: boolean): Omit<SpaceRow, 'index'>[] {
  return [
    row(`${user}.present`, '', '1 when the user is there; all its features are 0 otherwise'),
    row(`${user}.cqi`, 'CQI / 15', 'channel quality that the user reports, at full power'),
    row(`${user}.backlog`, 'ln(1 + kbit) / 10', 'data that wait'),
    row(`${user}.throughput`, 'ln(1 + kbit/s) / 14', 'recent throughput (over about 100 ms)'),
    elastic
      ? row(`${user}.urgency`, 'share', 'what it lacks of the throughput that it wants')
      : row(`${user}.urgency`, 'share of the deadline', 'age of its oldest data'),
  ];
}

function row(name: string, unit: string, meaning: string): Omit<SpaceRow, 'index'> {
  return { name, unit, low: 0, high: 1, meaning };
}
