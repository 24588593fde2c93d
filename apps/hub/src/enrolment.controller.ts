/**
 * The routes of enrolment. Decides nothing: EnrolmentService does.
 */
import { Controller, Inject } from '@nestjs/common';
import { HUB_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import { hubRoutes, type RouteInput, type RouteOutput } from '@aifi/contracts-rest';
import { EnrolmentService } from './enrolment.service.js';

type Routes = typeof hubRoutes;
type In<R extends keyof Routes> = RouteInput<Routes[R]>;
type Out<R extends keyof Routes> = Promise<RouteOutput<Routes[R]>>;
const Hub = routesOf(hubRoutes, HUB_ROUTE_ACTS);

@Controller()
export class EnrolmentController {
  constructor(@Inject(EnrolmentService) private readonly enrolment: EnrolmentService) {}

  @Hub('issueJoinToken')
  issue(@By() caller: Caller, @Input() input: In<'issueJoinToken'>): Out<'issueJoinToken'> {
    return this.enrolment.issueToken(caller, input);
  }
  @Hub('certificates')
  certificates(@Input() { params }: In<'certificates'>): Out<'certificates'> {
    return this.enrolment.certificates(params.siteId);
  }
  @Hub('revokeCertificate')
  revoke(@By() caller: Caller, @Input() input: In<'revokeCertificate'>): Out<'revokeCertificate'> {
    return this.enrolment.revoke(caller, input);
  }
  @Hub('authority')
  authority(): Out<'authority'> {
    return this.enrolment.authorities();
  }
  @Hub('rotateAuthority')
  rotate(@By() caller: Caller, @Input() input: In<'rotateAuthority'>): Out<'rotateAuthority'> {
    return this.enrolment.rotate(caller, input);
  }
  @Hub('inspectCertificate')
  async inspect(@Input() { body }: In<'inspectCertificate'>): Out<'inspectCertificate'> {
    return this.enrolment.inspect(body);
  }
  @Hub('createBinding')
  bind(@By() caller: Caller, @Input() input: In<'createBinding'>): Out<'createBinding'> {
    return this.enrolment.bind(caller, input);
  }
  @Hub('endBinding')
  unbind(@By() caller: Caller, @Input() input: In<'endBinding'>): Out<'endBinding'> {
    return this.enrolment.unbind(caller, input);
  }
}
