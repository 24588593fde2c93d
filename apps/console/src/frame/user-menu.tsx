/**
 * UserMenu: who is signed in, with which roles and where, and the way out.
 * Decides that signing out forgets everything here before the provider is told.
 */
import { Button, Menu, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { signInRoutes } from '@aifi/contracts-rest';
import { forgetSession } from '../api/api-context.js';
import { useAct } from '../api/use-answer.js';
import { Icon } from '../parts/icon.js';
import { termOf } from '../words/words.js';
import { useWords } from './language.js';
import { useSession } from './session.js';

export function UserMenu() {
  const { frame, acts } = useWords();
  const { user, roles, siteIds } = useSession();
  const client = useQueryClient();
  const signOut = useAct(signInRoutes.signOut, ({ next }) => {
    forgetSession(client);
    window.location.assign(next);
  });
  const roleNames = roles.map((role) => termOf(acts.roleNames, role)).join(', ');
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <Button
          {...{ variant: 'default', size: 'xs', className: 'aifi-user' }}
          leftSection={<Icon name="person" />}
          aria-label={frame.userMenu(user.name)}
        >
          <span className="aifi-user-name">{user.name}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text fw={600}>{user.name}</Text>
          <Text size="sm">
            {frame.roles}: {roleNames || frame.noRoles}
          </Text>
          <Text size="sm">
            {frame.sites}: {siteIds.join(', ') || frame.allSites}
          </Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item disabled={signOut.isBusy} onClick={() => signOut.go({})}>
          {frame.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
