export { cutWindow, type RankedVideo } from './cutWindow.ts';
export {
  DEFAULT_WINDOW,
  planWindow,
  type RankRange,
  type WindowArguments,
  type WindowNeed,
  type WindowPlan,
} from './planWindow.ts';
