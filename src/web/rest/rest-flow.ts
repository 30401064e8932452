// The decisions of rest() as a table: each question, and where each answer leads. What answers the questions is rest-steps.ts; the
// diagram in docs/rest.md is made from this table.

/** A status ends the flow; a text is the next question. */
export type FlowTarget = number | string;

export interface FlowStep {
  readonly question: string;
  readonly answers: Readonly<Record<string, FlowTarget>>;
}

const yesNo = (question: string, yes: FlowTarget, no: FlowTarget): FlowStep => ({
  question,
  answers: { yes, no },
});

export const FIRST_STEP = 'available';

export const FLOW: Readonly<Record<string, FlowStep>> = {
  // What the server and the resource can do at all.
  available: yesNo('serviceAvailable?', 'knownMethod', 503),
  knownMethod: yesNo('method among knownMethods?', 'uriLength', 501),
  uriLength: yesNo('uriTooLong?', 414, 'allowedMethod'),
  allowedMethod: yesNo('method among allowedMethods?', 'malformed', 405),
  malformed: yesNo('malformedRequest?', 400, 'authorized'),
  authorized: yesNo('isAuthorized?', 'forbidden', 401),
  forbidden: yesNo('forbidden?', 403, 'rateLimited'),
  rateLimited: yesNo('rateLimited?', 429, 'contentHeaders'),
  contentHeaders: yesNo('validContentHeaders?', 'contentLength', 501),
  contentLength: yesNo('validContentLength?', 'isOptions', 413),
  isOptions: yesNo('OPTIONS?', 200, 'mediaType'),

  // Proactive negotiation (RFC 9110 §12.1).
  mediaType: yesNo('Accept: one of provides?', 'language', 406),
  language: yesNo('Accept-Language: one of languages?', 'charset', 406),
  charset: yesNo('Accept-Charset: one of charsets?', 'encoding', 406),
  encoding: yesNo('Accept-Encoding: one of encodings?', 'exists', 406),

  exists: yesNo('resourceExists?', 'conditions', 'missingConditions'),

  // Conditional requests (RFC 9110 §13.2.2).
  conditions: {
    question: 'preconditions, by etag and lastModified?',
    answers: { met: 'method', unmodified: 304, failed: 412 },
  },
  missingConditions: { question: 'If-Match?', answers: { met: 'missingMethod', failed: 412 } },

  // What is there.
  method: {
    question: 'method?',
    answers: {
      'GET, HEAD': 'choices',
      POST: 'contentType',
      PATCH: 'contentType',
      PUT: 'conflict',
      DELETE: 'deleted',
      other: 501,
    },
  },
  choices: yesNo('multipleChoices?', 300, 'range'),
  range: {
    question: 'Range, where ranges are provided?',
    answers: { none: 200, satisfiable: 206, unsatisfiable: 416 },
  },
  deleted: yesNo('deleteResource?', 'deleteCompleted', 500),
  deleteCompleted: yesNo('deleteCompleted?', 'deleteBody', 202),
  deleteBody: yesNo('anything to say?', 200, 204),

  // What is not there.
  missingMethod: { question: 'PUT?', answers: { yes: 'putMoved', no: 'previous' } },
  putMoved: yesNo('movedPermanently?', 301, 'conflict'),
  previous: yesNo('previouslyExisted?', 'moved', 'missingPost'),
  moved: yesNo('movedPermanently?', 301, 'movedForNow'),
  movedForNow: yesNo('movedTemporarily?', 307, 'gonePost'),
  gonePost: yesNo('POST, and allowMissingPost?', 'contentType', 410),
  missingPost: yesNo('POST, and allowMissingPost?', 'contentType', 404),

  // What the request brings.
  conflict: yesNo('isConflict?', 409, 'contentType'),
  contentType: yesNo('Content-Type: one of accepts?', 'accepted', 415),
  accepted: {
    question: 'what does the acceptor say?',
    answers: { refused: 400, created: 201, 'see other': 303, done: 'isNew' },
  },
  isNew: yesNo('PUT of what was not there?', 201, 'acceptBody'),
  acceptBody: yesNo('anything to say?', 200, 204),
};
