import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { del, post, put, seg } from '../api/client';
import { plural } from '../format/format';

/** Says what went well, or why not, in a corner of the page. */
export function say(message: string, bad = false): void {
  notifications.show({ message, color: bad ? 'red' : 'green', autoClose: bad ? 12000 : 5000, withBorder: true });
}

export function useAppActions(app: string) {
  const queries = useQueryClient();
  const after = {
    onError: (err: Error) => say(err.message, true),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ['apps'] });
      void queries.invalidateQueries({ queryKey: ['app', app] });
    },
  };
  const restart = useMutation({
    mutationFn: () => post(`/apps/${seg(app)}/restart`),
    onSuccess: () => say(`${app} restarts, one replica after the other.`),
    ...after,
  });
  const scale = useMutation({
    mutationFn: (replicas: number) => put<{ message?: string } | undefined>(`/apps/${seg(app)}/scale`, { replicas }),
    onSuccess: (answer, n) => say(answer?.message || `${app} goes to ${plural(n, 'replica')}.`),
    ...after,
  });
  const remove = useMutation({
    mutationFn: () => del(`/apps/${seg(app)}`),
    onSuccess: () => say(`${app} is being deleted.`),
    ...after,
  });
  return { restart, scale, remove };
}
