/** An application as the simulator sees it: services that queue, and requests that visit them. Pure data. */
export interface Application {
  readonly services: readonly ServiceParameters[];
  readonly requests: readonly RequestParameters[];
}

/** One service: a queue in front of replicas × `serversPerPod` servers. */
export interface ServiceParameters {
  readonly name: string;
  /** Calls that one pod works on at once; the others wait in one queue per service, first come first served. */
  readonly serversPerPod: number;
  /** Mean time that a call holds a server, seconds. */
  readonly serviceSeconds: number;
  /** Squared coefficient of variation of that time: 1 = exponential, 0 = constant. */
  readonly serviceScv: number;
  /** Time that a call spends outside of the queue (network, serialisation), seconds; constant. */
  readonly networkSeconds: number;
  /** From creation to ready, seconds. */
  readonly startupSeconds: number;
  /** How long a stopping pod goes on holding its resources, seconds. It finishes its calls and takes no new ones. */
  readonly terminationSeconds: number;
  /** CPU request of a pod, millicores: what the HPA's utilisation is measured against. */
  readonly cpuRequestMillicores: number;
  /** CPU of a pod without calls, millicores. */
  readonly cpuIdleMillicores: number;
  /** Further CPU of each busy server, millicores. */
  readonly cpuBusyMillicores: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

/** A kind of request that users send, with its share and its tree of calls. */
export interface RequestParameters {
  readonly name: string;
  /** Share of the arrivals; shares are divided by their sum. */
  readonly weight: number;
  readonly call: CallParameters;
}

/** A call and, once its own work is done, the calls that it makes, one after the other. */
export interface CallParameters {
  readonly service: string;
  /** How often it is made, one after the other. Default 1. */
  readonly times?: number;
  /** Share of the requests that make it, 0 … 1; of its inner calls the same requests' share. Default 1. */
  readonly share?: number;
  readonly calls?: readonly CallParameters[];
}
