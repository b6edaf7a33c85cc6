import { useEffect, useRef } from 'preact/hooks';
import { decisionIn } from './decision-link.js';

/** Follows the link to a decision in the address of the page, and every later one. @param onDecision the current callback */
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

/** Removes the link from the address, once the page shows other evidence. */
export function leaveLink(): void {
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
}
