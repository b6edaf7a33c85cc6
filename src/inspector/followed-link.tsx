import { useEffect, useRef } from 'preact/hooks';
import { decisionIn } from './decision-link.js';

/** Follows the link to a decision that the page was opened by, and every one after it. @param onDecision the one of that moment is called */
export function useFollowedLink(onDecision: (id: string) => void): void {
  const follow = useRef(() => {});
  follow.current = () => {
    const id = decisionIn(location.hash);
    if (id !== null) onDecision(id);
  };
  useEffect(() => {
    const onChange = () => follow.current();
    onChange();
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
}

/** The shown evidence is no longer that of the address. */
export function leaveLink(): void {
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
}
