/**
 * ProblemFilter: every fault of the interface as problem+json.
 * Decides that no answer of the framework reaches a client, with its words or a stack.
 * Source: RFC 9457; conventions 2 "Errors".
 */
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { PROBLEM_CONTENT_TYPE, problemOf } from '@aifi/contracts-rest';

/** What of the framework's response is used. */
interface HttpResponse {
  status(code: number): this;
  set(name: string, value: string): this;
  send(body: string): void;
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const problem = problemOf(error);
    const response = host.switchToHttp().getResponse<HttpResponse>();
    response.status(problem.status).set('Cache-Control', 'no-store');
    response.set('Content-Type', PROBLEM_CONTENT_TYPE).send(JSON.stringify(problem));
  }
}
