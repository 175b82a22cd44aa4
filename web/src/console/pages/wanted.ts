import type { RoutingChangeBody, RoutingView } from '../../api/schema';

/** What is asked for: a view of the routing without what the platform alone says. */
export function wanted({ found: _found, record: _record, most: _most, domains, ...rest }: RoutingView, password: string): RoutingChangeBody {
  return { ...rest, domains: domains ?? [], ...(password ? { password } : {}) };
}
