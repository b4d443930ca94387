export { byAge, extentOf } from './chartExtent.ts';
export { cutWindow, type RankedVideo } from './cutWindow.ts';
export {
  type KnownPages,
  MAX_WINDOW,
  planWindow,
  type RankRange,
  type WindowArguments,
  type WindowNeed,
  type WindowPlan,
} from './planWindow.ts';
