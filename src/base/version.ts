// The version of isthmus, written in at build time.

declare const ISTHMUS_VERSION: string | undefined;

/** Version of this build; 0.0.0-dev when the sources run unbuilt. */
export const isthmusVersion: string = typeof ISTHMUS_VERSION === 'string' ? ISTHMUS_VERSION : '0.0.0-dev';
