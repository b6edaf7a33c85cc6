/** Another verifier whose tokens are judged, by the name of its route in a policy. */
export type TokenRoute = 'maa' | 'ita';
