export { cutWindow, type RankedVideo } from './cutWindow.ts';
export { planWindow, type RankRange, type WindowArguments, type WindowNeed } from './planWindow.ts';
