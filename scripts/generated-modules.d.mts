export declare const MODULES: readonly string[];
export declare function firstLine(): string;
export declare function ensureGenerated(): Promise<void>;
