import { Button, Code, CopyButton, Group } from '@mantine/core';
import { seg } from '../../api/client';
import { to, useRoute } from '../route';
import { useSession } from '../session';

/** Where the app is pushed to with git. */
export function GitPush({ app }: { app: string }) {
  const session = useSession();
  const { query } = useRoute();
  const address = `${window.location.origin}/git/${seg(query.get('tenant') || session.tenant)}/${seg(app)}`;
  const command = `git remote add kurama ${address} && git push kurama main`;
  return (
    <div className="gap-top">
      <p className="hint">Or push it with git. Any user name will do; the password is a <a className="in-text" href={to(['access', 'tokens'])}>token</a> that may deploy.</p>
      <Group gap="xs" mt={8}><Code className="wrap">{command}</Code><CopyButton value={command}>{({ copied, copy }) => <Button size="compact-sm" variant="default" onClick={copy}>{copied ? 'Copied' : 'Copy'}</Button>}</CopyButton></Group>
    </div>
  );
}
