export declare const ENTRY: string;
export declare function buildIfNeeded(): Promise<number>;
