/**
 * WebAccessModule: guard, records and the routes that hub and gateway share.
 * Decides that every route of the application passes the guard and the interceptor.
 */
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { AccessGuard } from './access.guard.js';
import { ApprovalsController } from './approvals.controller.js';
import { ApprovalsService } from './approvals.service.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { DescriptionController } from './description.controller.js';
import { EventsController } from './events.controller.js';
import { SessionController } from './session.controller.js';
import { WEB_ACCESS, type WebAccessOptions } from './web-access-options.js';

@Module({})
export class WebAccessModule {
  static with<Tx>(options: WebAccessOptions<Tx>): DynamicModule {
    return {
      module: WebAccessModule,
      controllers: [
        SessionController,
        ApprovalsController,
        EventsController,
        DescriptionController,
      ],
      providers: [
        { provide: WEB_ACCESS, useValue: options },
        ApprovalsService,
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_INTERCEPTOR, useClass: AuditInterceptor },
      ],
    };
  }
}
