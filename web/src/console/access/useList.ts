import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { del, get, post, seg } from '../../api/client';
import { say } from '../useAppActions';

/** A list at `/name` that can be added to and taken from. */
export function useList<Item, New, Made = Item>(name: 'users' | 'tokens' | 'tenants' | 'invitations') {
  const queries = useQueryClient();
  const list = useQuery({
    queryKey: [name],
    queryFn: async ({ signal }) => (await get<Record<string, Item[] | null>>(`/${name}`, {}, signal))[name] ?? [],
  });
  const onSettled = () => void queries.invalidateQueries({ queryKey: [name] });
  const add = useMutation({ mutationFn: (item: New) => post<Made>(`/${name}`, item), onSettled });
  const remove = useMutation({ mutationFn: (id: string) => del(`/${name}/${seg(id)}`), onSettled, onError: (err: Error) => say(err.message, true) });
  return { list, add, remove };
}

export const ROLES = [
  { value: 'viewer', label: 'Viewer: looks' },
  { value: 'developer', label: 'Developer: deploys' },
  { value: 'owner', label: 'Owner: also manages access' },
  { value: 'operator', label: 'Operator: above all tenants' },
];
