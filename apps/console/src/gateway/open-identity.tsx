/**
 * OpenIdentity: opens who a masked study is of, with a reason.
 * Decides what is said before: that it is recorded, and for a VIP or own staff that the privacy
 * officer is told at once. Source: security specification 5 (VIP and own-staff patients).
 */
import { Alert, Text } from '@mantine/core';
import { gatewayRoutes, type GatewayStudyView, type PatientView } from '@aifi/contracts-rest';
import { useAct } from '../api/use-answer.js';
import { useWords } from '../frame/language.js';
import { useNotice } from '../frame/notices.js';
import { Dialog } from '../parts/dialog.js';
import { Icon } from '../parts/icon.js';
import { ReasonForm } from '../parts/reason-form.js';

interface OpenIdentityProps {
  readonly study: GatewayStudyView | undefined;
  readonly onClose: () => void;
  readonly onOpened: (studyInstanceUid: string, patient: PatientView) => void;
}

export function OpenIdentity({ study, onClose, onOpened }: OpenIdentityProps) {
  const { studies } = useWords().gateway;
  const tell = useNotice();
  const open = useAct(gatewayRoutes.openIdentity, (patient, { params }) => {
    tell(studies.opened);
    onOpened(params.studyInstanceUid, patient);
  });
  const close = (): void => {
    open.reset();
    onClose();
  };
  return (
    <Dialog isOpen={study !== undefined} onClose={close} title={studies.openTitle}>
      {study && (
        <ReasonForm
          action={studies.open}
          hint={studies.openHint}
          isBusy={open.isBusy}
          problem={open.problem}
          onCancel={close}
          onSubmit={(reason) =>
            open.go({
              params: { studyInstanceUid: study.studyInstanceUid },
              body: { reason },
            })
          }
        >
          {study.masked !== 'reason-required' && (
            <Alert className="aifi-warning" variant="outline" icon={<Icon name="warn" />}>
              {studies.openAlert}
            </Alert>
          )}
          <Text>{studies.openText}</Text>
        </ReasonForm>
      )}
    </Dialog>
  );
}
