// What commands may use of the release stage.
export { findHelm } from './helm.ts';
export { install } from './install.ts';
export { type Preview, previewInstall } from './preview.ts';
export { type ChangedFile, changedFiles, readGenerated } from './read.ts';
export type * from './types.ts';
export { uninstall } from './uninstall.ts';
