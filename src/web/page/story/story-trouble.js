/** What to do about an answer that the story has no place for. */
export function problemOf(answer) {
  if (!answer)
    return {
      title: 'The server does not answer.',
      text: 'See whether it still runs, then press Step to try again.',
    };
  const code = answer.body?.error;
  if (code === 'invalid_credentials')
    return {
      title: 'This user and password are not known here.',
      text: 'Go on as somebody who exists.',
      login: true,
    };
  if (code === 'insufficient_scope' || code === 'invalid_scope')
    return {
      title: 'This user may not eat cookies.',
      text: 'The user needs the scope cookies:eat. Go on as somebody who has it.',
      login: true,
    };
  if (answer.status === 429)
    return {
      title: 'Too many attempts.',
      text: `They were of this user, or came from here. Keks takes no more for ${answer.headers.get('retry-after')} seconds. Then press Step to try again.`,
    };
  if (answer.status === 503)
    return {
      title: 'Keks cannot answer right now.',
      text: 'Usually its database is away: GET /health/ready tells. Then press Step to try again.',
    };
  return {
    title: 'The story stops here.',
    text: answer.body?.error_description ?? 'Press Step to try again, or Restart.',
  };
}
