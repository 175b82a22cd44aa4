import { Button } from '@mantine/core';
import type { App } from '../../api/types';
import { IconRefresh } from '../../theme/icons';
import { DeleteForm } from '../DeleteForm';
import { useAppActions } from '../useAppActions';

export default function Danger({ app }: { app: App }) {
  const { restart } = useAppActions(app.name);
  return (
    <>
      <div className="panel panel-pad">
        <h2 className="panel-title">Restart</h2>
        <p className="hint">New replicas of the live release start first; the old ones stop when theirs answer. Nobody waits.</p>
        <Button variant="default" leftSection={<IconRefresh size={16} />} onClick={() => restart.mutate()} loading={restart.isPending} disabled={app.release === 0}>Restart {app.name}</Button>
      </div>
      <div className="panel panel-pad danger gap-top">
        <h2 className="panel-title gap-bottom">Delete {app.name}</h2>
        <DeleteForm app={app.name} />
      </div>
    </>
  );
}
