/**
 * ProblemFilter: every fault of the interface as problem+json.
 * Decides that no answer of the framework reaches a client, with its words or a stack; what is a
 * defect or the machine's state is logged under the instance id that the client sees.
 * Source: RFC 9457, RFC 6750 3 (WWW-Authenticate), RFC 9470; conventions 2 "Errors".
 */
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { frameworkStatus, PROBLEM_CONTENT_TYPE, problemOf } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import type { HttpResponse } from './http-request.js';
import type { WebAccessOptions } from './web-access-options.js';

const CHALLENGES: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'Bearer',
  STEP_UP_REQUIRED: 'Bearer error="insufficient_user_authentication"',
};

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly options: Pick<WebAccessOptions, 'logger' | 'publicUrl'>) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<HttpResponse>();
    const fault = AifiError.from(error);
    const problem = problemOf(frameworkStatus(error) === undefined ? fault : error);
    if (problem.status >= 500) this.options.logger.fault('request failed', fault);
    // The answer has begun (a stream): all that is left is to cut it.
    if (response.headersSent) return response.end();
    const challenge = problem.code === undefined ? undefined : CHALLENGES[problem.code];
    if (challenge) {
      const address = `${this.options.publicUrl}/.well-known/oauth-protected-resource`;
      const parameter = `resource_metadata="${address}"`;
      const separator = challenge.includes(' ') ? ', ' : ' ';
      response.set('WWW-Authenticate', `${challenge}${separator}${parameter}`);
    }
    response.status(problem.status).set('Cache-Control', 'no-store');
    response.set('Content-Type', PROBLEM_CONTENT_TYPE).send(JSON.stringify(problem));
  }
}
