// The version of isthmus, put in by the build.

declare const ISTHMUS_VERSION: string | undefined;

/** Version of the package, `0.1.0`; `0.0.0-dev` when run from the sources. */
export const version: string = typeof ISTHMUS_VERSION === 'string' ? ISTHMUS_VERSION : '0.0.0-dev';
