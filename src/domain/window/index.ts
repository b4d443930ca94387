export { cutWindow, type RankedVideo } from './cutWindow.ts';
export {
  type KnownPages,
  planWindow,
  type RankRange,
  type WindowArguments,
  type WindowNeed,
} from './planWindow.ts';
