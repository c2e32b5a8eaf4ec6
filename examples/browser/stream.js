// The WebSocket: keeps the subject and the newest pose, and connects again when the gateway comes back.
export function listen(url, say) {
  const stream = {
    subject: null,
    pose: null,
    fresh: false,
    takeNewest() {
      if (!this.fresh || !this.subject || this.pose.session !== this.subject.session) return null;
      this.fresh = false;
      return this.pose;
    },
    // height of the hips at rest, metres: offsets of the root are from the ground
    restHeight(digest) {
      return this.subject.skeletons[digest][0][1];
    },
  };
  function connect() {
    const socket = new WebSocket(url);
    socket.onopen = () => say(`connected to ${url}`);
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.kind === "subject") stream.subject = message;
      if (message.kind === "pose") [stream.pose, stream.fresh] = [message, true];
    };
    socket.onclose = ({ code, reason }) => {
      say(code === 1008 ? reason : `no gateway at ${url}\nstart it: posewire gateway ws`);
      setTimeout(connect, 1000);
    };
  }
  connect();
  return stream;
}
