/// A service and a node with P-256 keys, for the test that such ledgers are read. Public test data: these keys must
/// never protect anything.
enum SmallIdentity {
    static let serviceKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWXq479I83bj//uhq
        odpkH7u7V6SFltATb7rVZADsyoChRANCAATjNeoC16kzn7jk3LXe0k/Z7jCyN88S
        XpTguJG3Oe+rakUz8d3Ni6nQEa0nwds9z1CHvBizG5nDn0zD4QxZkruf
        -----END PRIVATE KEY-----

        """

    static let serviceCertificate = """
        -----BEGIN CERTIFICATE-----
        MIIBkTCCATegAwIBAgIUMFO+B1DKJ7+8/1A5CFFKqUJp8qowCgYIKoZIzj0EAwIw
        HTEbMBkGA1UEAwwSU21hbGwgVGVzdCBTZXJ2aWNlMCAXDTI2MTEyMTAwMjIwMFoY
        DzIwNTEwNzEzMDAyMjAwWjAdMRswGQYDVQQDDBJTbWFsbCBUZXN0IFNlcnZpY2Uw
        WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATjNeoC16kzn7jk3LXe0k/Z7jCyN88S
        XpTguJG3Oe+rakUz8d3Ni6nQEa0nwds9z1CHvBizG5nDn0zD4QxZkrufo1MwUTAd
        BgNVHQ4EFgQUcUKXSsSOjxfsp5auldCYREsk7oswHwYDVR0jBBgwFoAUcUKXSsSO
        jxfsp5auldCYREsk7oswDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBF
        AiBpQyi3cGv0711qOb3FP+Bs8gBWL5MW8tqbVGvg2+rQ8AIhAKpPjhlQGyG5F5wg
        ZDz9dRzx+W2nAPu/NVWjj1D6aXo6
        -----END CERTIFICATE-----

        """

    static let nodeKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwz7LyVSZR+/FsngS
        iajeRq0xRVgyVzV/HZjzO99io0ahRANCAATCravXckwauuimREH05PfNiYm2Aj+5
        oYcK8Jf6ROtAdvdZiGTMIySO0ZXV5XFfRMiNAJfowdIvstWDKnlrc/od
        -----END PRIVATE KEY-----

        """

    static let nodeCertificate = """
        -----BEGIN CERTIFICATE-----
        MIIBKTCBzwIUc2ngvZ8/dnlrp3l3YiHe3tdz8EswCgYIKoZIzj0EAwIwHTEbMBkG
        A1UEAwwSU21hbGwgVGVzdCBTZXJ2aWNlMCAXDTI2MTEyMTAwMjIwMFoYDzIwNTEw
        NzEzMDAyMjAwWjAPMQ0wCwYDVQQDDAROb2RlMFkwEwYHKoZIzj0CAQYIKoZIzj0D
        AQcDQgAEwq2r13JMGrropkRB9OT3zYmJtgI/uaGHCvCX+kTrQHb3WYhkzCMkjtGV
        1eVxX0TIjQCX6MHSL7LVgyp5a3P6HTAKBggqhkjOPQQDAgNJADBGAiEAmw7ZX3df
        GDtf9W5B5juvyGP+TK3XsHIdELlWoHzqTXYCIQCIb+YpfP5ZpY1HjUhyOcVWyDZn
        GLa5wLd8Sw/lAknRmQ==
        -----END CERTIFICATE-----

        """
}
