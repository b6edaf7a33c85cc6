export declare const ENTRY: string;
export declare function buildIfNeeded(): Promise<number>;
export declare function buildPagesIfNeeded(): Promise<number>;
