/**
 * AuditExport: the audit log as a file, for who may.
 * Decides that fresh authentication comes first and that the browser itself writes the file: it can
 * be larger than a page holds.
 */
import { Button, Group, NativeSelect, Text } from '@mantine/core';
import { useState } from 'react';
import { AUDIT_FORMATS, auditRoutes } from '@aifi/contracts-rest';
import { addressOf } from '../api/call.js';
import { useWords } from '../frame/language.js';
import { Card } from '../parts/card.js';
import { StepUpGate } from '../parts/step-up.js';
import { auditQuery, type AuditFilterValues } from './audit-filters.js';

export function AuditExport({ filters }: { readonly filters: AuditFilterValues }) {
  const { audit } = useWords().access;
  const [format, setFormat] = useState<string>(AUDIT_FORMATS[0]);
  const query = { ...auditQuery(filters), format };
  return (
    <Card title={audit.exportTitle}>
      <StepUpGate>
        <Text>{audit.exportText}</Text>
        <Group align="flex-end">
          <NativeSelect
            label={audit.format}
            value={format}
            onChange={(event) => setFormat(event.currentTarget.value)}
            data={AUDIT_FORMATS.map((value) => ({ value, label: audit.formats[value] }))}
          />
          <Button component="a" href={addressOf(auditRoutes.exportAudit.path, { query })} download>
            {audit.exportGo}
          </Button>
        </Group>
      </StepUpGate>
    </Card>
  );
}
