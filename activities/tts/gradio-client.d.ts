/** The part of @gradio/client that we call: its own types do not resolve under Node's rules. */
declare module '@gradio/client' {
  export class Client {
    /** Where requests go, behind the address: `/gradio_api`. */
    api_prefix: string;
    /** The app's description of its endpoints, with the components' types put in; absent where it could not be read. */
    api_info: unknown;
    constructor(url: string, options: ClientOptions);
    static connect(url: string, options: ClientOptions): Promise<Client>;
    /** @param data by parameter name. */
    predict(endpoint: string, data: Record<string, unknown>): Promise<unknown>;
    fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
    close(): void;
  }
  export interface ClientOptions {
    events: ('data' | 'status')[];
    record_history: boolean;
  }
}
