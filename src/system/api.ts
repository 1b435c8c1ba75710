// Asks one API server and turns refusals into errors for people.
import { type Question, statusError } from './answers.ts';
import type { ApiAnswer, ApiRequest, Transport } from './transport.ts';

/** One API server, named for messages. */
export interface Api {
  send(request: ApiRequest): Promise<ApiAnswer>;
  question(request: ApiRequest): Question;
  /** The error of an answer; a 401 tells the expiry of the client certificate. */
  refused(answer: ApiAnswer, request: ApiRequest): Promise<Error>;
}

export function createApi(transport: Transport, where: string): Api {
  return {
    send: (request) => transport.send(request),
    question: (request) => ({ request, where }),
    refused: async (answer, request) => {
      const certificate = answer.status === 401 ? await transport.clientCertificate() : undefined;
      return statusError(answer, { request, where, certificate });
    },
  };
}

/** Sends a request; an answer that is neither 2xx nor in `expected` is thrown. */
export async function ask(api: Api, request: ApiRequest, expected: readonly number[] = []): Promise<ApiAnswer> {
  const answer = await api.send(request);
  const fine = (answer.status >= 200 && answer.status < 300) || expected.includes(answer.status);
  if (!fine) throw await api.refused(answer, request);
  return answer;
}
